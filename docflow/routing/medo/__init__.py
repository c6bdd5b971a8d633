"""The life of МЭДО messages: who takes part, what goes, what comes, what is waited for."""

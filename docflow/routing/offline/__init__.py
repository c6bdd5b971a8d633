"""Documents on a stick: packages for places without a network, and what comes back from there."""

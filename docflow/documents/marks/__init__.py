"""The mark of an electronic signature (отметка об электронной подписи) on a copy of a document."""

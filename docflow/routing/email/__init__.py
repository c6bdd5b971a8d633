"""Documents by e-mail: letters out, reports in, acknowledgement by a link without an account."""

"""Documents on paper and by telephone: sheets and lists with codes, acknowledgement by a clerk."""

"""Long life: stamps at receipt, their renewal, the bytes' fixity, and what of it is due."""

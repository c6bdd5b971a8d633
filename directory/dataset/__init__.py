"""The demo registry: `generate` makes it, `load` puts it into the database."""

from directory.dataset.generator import COLUMNS, DEFAULT_SEED, Dataset, generate
from directory.dataset.loading import load

__all__ = ["COLUMNS", "DEFAULT_SEED", "Dataset", "generate", "load"]

"""The main job shown on one machine: demo registry, accounts, and a walk through the API."""

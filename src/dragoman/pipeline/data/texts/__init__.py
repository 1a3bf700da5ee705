"""Plain text that a recipe names: read, chosen, measured, and drawn in the shares of a mixture."""

"""The inside of the sandbox: what runs in a process of its own, on the standard library alone, and locks itself in."""

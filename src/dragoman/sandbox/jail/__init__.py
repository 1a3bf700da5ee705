"""The inside of the sandbox: runs in a process of its own, uses only the standard library, and locks itself in."""

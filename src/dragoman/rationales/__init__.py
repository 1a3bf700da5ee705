"""What is wrong with a rationale, and the report that counts it."""

"""`dragoman init`: a starter recipe for the user's own parallel files."""

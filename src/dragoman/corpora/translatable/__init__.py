"""Files that `dragoman data translate` can translate, and what must stay as it is in them."""

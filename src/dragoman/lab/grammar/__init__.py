"""The grammar of the lab's world: meanings, and how English, German and Italian say them."""

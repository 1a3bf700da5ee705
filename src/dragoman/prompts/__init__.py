"""Token ids: rendering conversations, training examples in segments, and how a translation is asked for."""

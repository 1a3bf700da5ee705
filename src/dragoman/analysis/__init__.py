"""What a method does to a model: gradients of its two loss terms, drift from the backbone, topics of rationales."""

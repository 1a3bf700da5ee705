"""`dragoman analyze`: jobs that measure what a recipe's methods do, beside the stages."""

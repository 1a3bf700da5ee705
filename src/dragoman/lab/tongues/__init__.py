"""The same three families of tasks in English, German and Italian, as benchmarks have them that were translated.

Their questions name no `texts` of their own: sentences of so small a world are alike by chance, so that lessons and
questions are told apart as wholes.
"""

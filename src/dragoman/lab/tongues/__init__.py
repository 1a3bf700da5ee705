"""Three families of tasks in English, German and Italian, like benchmarks that were translated.

Their questions name no `texts` of their own: sentences of so small a world are alike by chance, so lessons and
questions are compared only as wholes.
"""

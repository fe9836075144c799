"""The page for people: how it is sampled during the run, and how it is put together after it.

``samples`` works while tests run; everything else turns finished facts into markup.
"""

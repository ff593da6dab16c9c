"""Finding a service item by its name in either script, in pinyin, and by the words that a citizen uses."""

"""Files that people hand in: received as a stream, kept in a store of objects, checked, and given out again."""

"""The catalogue of service items: what it looks like, what must never be in it, where it is kept, how it is found.

`model` is what the rest of `cases` reads. `schema` says what is wrong; `store` and
`publishing` keep versions; `files` and `importing` bring items in; `live` is the catalogue of a running process.
"""

"""The document of a result: a PDF with a code that anyone can verify."""

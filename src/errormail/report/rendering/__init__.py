"""A Report becomes a subject, a text and HTML: pure functions of it."""

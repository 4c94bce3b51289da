"""What can be done with a message: each module has an `EmailBackend`, named by its dotted path in EMAIL_BACKEND."""

"""Which reports become mail, and when: from a `Job` to an email that is sent."""

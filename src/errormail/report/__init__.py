"""An exception becomes a Report: capture, redact, render. Knows nothing of mail."""

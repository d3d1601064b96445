"""Jobs that look after the installation: they annotate nothing themselves and need no device."""

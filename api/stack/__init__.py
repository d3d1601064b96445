"""All processes of Framegate under one parent: what `framegate up` runs."""

"""How each part is: one probe a file, all asked at once, each with a deadline of its own."""

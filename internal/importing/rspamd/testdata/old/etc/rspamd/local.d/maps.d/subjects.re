/viagra/i

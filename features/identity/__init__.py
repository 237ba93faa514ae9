"""Who is who: which rows of which sources speak of one company."""

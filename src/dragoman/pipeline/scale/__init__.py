"""`dragoman scale`: what a row was taught at several strengths, each judged, and the one to take."""

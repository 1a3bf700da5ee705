"""Examples become an adapter or new weights, and these a merged model that is proved equal."""

"""The `clientela` console command: what people do with models once they are trained."""

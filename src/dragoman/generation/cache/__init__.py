"""The completion cache: Parquet shards in a folder or a bucket, and an index in memory."""

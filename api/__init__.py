"""The REST door: what a request means, mapped onto Dagster over GraphQL."""

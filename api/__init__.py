"""The REST API: maps requests onto Dagster by GraphQL."""

"""A third party's pipelines that cannot be used, and one that can in spite of its carelessness."""

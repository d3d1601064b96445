"""What ops are given: the folders of this installation."""

from dagster import ResourceDefinition

from contracts.home import Home

HOME = "home"


def home_resource(home: Home) -> ResourceDefinition:
    return ResourceDefinition.hardcoded_resource(home, "Where media, results and progress lie.")

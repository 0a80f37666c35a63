"""The description of the JSON API as a page: for people what openapi.json is for programs."""

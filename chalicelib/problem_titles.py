TITLES: dict[str, dict[str, str]] = {}

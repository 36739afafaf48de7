"""What was measured, beside what it may be."""


class Table:
    def __init__(self):
        self.rows = []

    def add(self, what, measured, unit, limit=None, at_least=False):
        """A figure; with a limit it is ok or over (under, where at_least)."""
        fits = None
        if limit is not None:
            fits = measured >= limit if at_least else measured <= limit
        self.rows.append({"what": what, "measured": round(measured, 3), "unit": unit, "limit": limit,
                          "at_least": at_least, "ok": fits})

    def show(self):
        print(f"\n{'what':<58} {'measured':>10} {'limit':>10}")
        for row in self.rows:
            limit = "" if row["limit"] is None else f"{'>=' if row['at_least'] else '<='} {row['limit']:g}"
            verdict = {None: "", True: "ok", False: "UNDER" if row["at_least"] else "OVER"}[row["ok"]]
            figure = f"{row['measured']:.3g}" if row["measured"] < 100 else f"{row['measured']:.0f}"
            print(f"{row['what']:<58} {figure:>10} {limit:>10} {row['unit']:<10} {verdict}")

    def holds(self):
        return all(row["ok"] is not False for row in self.rows)

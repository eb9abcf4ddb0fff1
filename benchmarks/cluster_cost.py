"""Plan a large batch: core-hours, days, storage, requests and cost; every assumption is an option.

python benchmarks/cluster_cost.py --pictures 100000000 --cores 1000
"""

import argparse


def main() -> None:
    """Print the assumptions, and what follows from them."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.ArgumentDefaultsHelpFormatter
    )
    add = parser.add_argument
    add("--pictures", type=float, default=100e6)
    add("--megapixels", type=float, default=7.68, help="of a result: 800x600 px, x4")
    add("--mp-per-core-s", type=float, default=1.125, help="measured: 2.25 MP/s on 2 cores")
    add("--overhead-core-s", type=float, default=0.03, help="measured on a disk: read, rows, write")
    add("--efficiency", type=float, default=0.8, help="see simulate_cluster.py")
    add("--cores", type=float, default=1000)
    add("--core-hour-usd", type=float, default=0.015, help="a spot core; 0.04 on demand")
    add("--source-kb", type=float, default=120, help="of an input file")
    add("--result-kb", type=float, default=2500, help="of a result file")
    add("--gb-month-usd", type=float, default=0.023, help="of the object store")
    add("--put-usd", type=float, default=5.0, help="of a million puts or lists")
    add("--get-usd", type=float, default=0.4, help="of a million gets or heads")
    add("--list-s", type=float, default=0.15, help="of one request for 1000 names")
    add("--driver-kb", type=float, default=2.4, help="measured: memory of the command a picture")
    add("--report-bytes", type=float, default=273, help="measured: a line of report.jsonl")
    asked = parser.parse_args()
    for name, value in vars(asked).items():
        print(f"{name.replace('_', '-'):>18} {value:,g}")
    each_s = asked.megapixels / asked.mp_per_core_s + asked.overhead_core_s
    core_hours = asked.pictures * each_s / asked.efficiency / 3600
    terabytes = asked.pictures * asked.result_kb / 1e9
    requests = asked.pictures * (asked.put_usd + 2 * asked.get_usd) / 1e6
    rows = [
        ("core-seconds a picture", f"{each_s:.1f}"),
        ("core-hours, with losses", f"{core_hours:,.0f}"),
        ("days", f"{core_hours / asked.cores / 24:.1f}"),
        ("cost of cores, USD", f"{core_hours * asked.core_hour_usd:,.0f}"),
        ("inputs, TB", f"{asked.pictures * asked.source_kb / 1e9:,.0f}"),
        ("results, TB", f"{terabytes:,.0f}"),
        ("results, USD a month", f"{terabytes * 1000 * asked.gb_month_usd:,.0f}"),
        ("requests, USD", f"{requests:,.0f}"),
        ("puts a second", f"{asked.cores * asked.efficiency / each_s:,.0f}"),
        (
            "written, MB/s",
            f"{asked.cores * asked.efficiency / each_s * asked.result_kb / 1e3:,.0f}",
        ),
        ("one listing, h", f"{asked.pictures / 1000 * asked.list_s / 3600:.1f}"),
        ("memory of one command, GB", f"{asked.pictures * asked.driver_kb / 1e6:,.0f}"),
        ("report.jsonl, GB", f"{asked.pictures * asked.report_bytes / 1e9:.1f}"),
    ]
    print("\n| | |\n| --- | --- |")
    for name, value in rows:
        print(f"| {name} | {value} |")


if __name__ == "__main__":
    main()

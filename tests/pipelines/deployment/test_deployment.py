import json

import pytest


def test_x(trained_shop, run_shop, tmp_path):
    import shutil
    root = shutil.copytree(trained_shop, tmp_path / "data")
    catalog = run_shop(root, ["deployment"])
    print(catalog.load("returns.deployment_headline"))
    for p in sorted((root / "06_models").rglob("*")): print(p.relative_to(root))
    print((root / "06_models/returns/packages/champion.json").read_text())
    print((root / "06_models/returns/packages/case_account.json").read_text())

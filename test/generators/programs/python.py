"""Calls Hutch through the package that openapi-generator writes for Python."""
import sys

import hutch_client as hutch

client = hutch.ApiClient(hutch.Configuration(host=sys.argv[1]))
auth, items = hutch.AuthApi(client), hutch.ItemsApi(client)
auth.register(hutch.Register(email="py@example.com", username="pygen", password="straw-and-carrots-1"))
session = auth.login(hutch.Login(login="pygen", password="straw-and-carrots-1"))
client.configuration.access_token = session.token
made = items.create_item_v2(hutch.ItemNew(title="python", tags=["wood"]))
assert items.get_item_v2(made.id).title == "python"
assert [it.id for it in items.list_items_v2(where=["tags eq wood", "owner_id eq me"]).data] == [made.id]
assert items.update_item_v2(made.id, hutch.ItemPatch(title="changed")).title == "changed"
# Of several media types it prefers one with json in its name, and would encode the lines again.
lines = b'{"title":"imported"}\n'
assert items.import_items(lines, _content_type="application/octet-stream").created == 1
assert b"imported" in items.export_items()
items.delete_item_v2(made.id)

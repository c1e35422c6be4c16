def test_smoke(client):
    page = client.get("/figures")
    assert page.status_code == 200, page.text[:3000]
    print(len(page.content))

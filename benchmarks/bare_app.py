"""The least that FastAPI can do: answers with a constant. What the API is measured against."""

from typing import Any

from fastapi import FastAPI

app = FastAPI()


@app.get("/")
async def show() -> dict[str, str]:
    return {"status": "ok"}


@app.post("/")
async def take(body: dict[str, Any]) -> dict[str, bool]:
    return {"valid": bool(body)}

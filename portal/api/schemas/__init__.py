"""What the API takes and tells, as pydantic models; the OpenAPI document is made of them."""

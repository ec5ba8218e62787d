"""Photo search by sentence, photo, face and place, answered inside Milvus."""

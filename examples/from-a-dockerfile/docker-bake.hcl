group "default" {
  targets = ["system"]
}

# The tree, by the Dockerfile.
target "caddy" {}

target "system" {
  dockerfile = "kairos.spec"
  contexts   = { caddy = "target:caddy" }
  target     = "iso"
  output     = ["dist"]
}

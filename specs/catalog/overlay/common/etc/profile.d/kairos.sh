# Lets kubectl work without arguments for users who can read the file (contract 1.12,
# 32_profile).
if [ -z "${KUBECONFIG:-}" ] && [ -r /etc/rancher/k3s/k3s.yaml ]; then
	export KUBECONFIG=/etc/rancher/k3s/k3s.yaml
fi

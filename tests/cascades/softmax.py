"""Softmax in many spellings, statistics over its weights, and barriers."""
from harness import *
E_ = np.einsum
def n(rng, *s): return rng.standard_normal(s)
def qkv(rng, P=7, M=37, E=16, F=9, **kw):
    d = dict(Q=n(rng,P,E), K=n(rng,M,E), V=n(rng,M,F)); d.update({k: v(rng) if callable(v) else v for k, v in kw.items()}); return d
def hqkv(rng, H=3, P=9, M=21, E=8, F=5, J=None, **kw):
    J = J or H; d = dict(Q=n(rng,H,P,E), K=n(rng,J,M,E), V=n(rng,J,M,F)); d.update({k: v(rng) if callable(v) else v for k, v in kw.items()}); return d
HD = "cascade c(Q[P,E] : f32, K[M,E] : f32, V[M,F] : f32%s) -> (%s) {\n"
def S_(i): return i.Q @ i.K.T / np.sqrt(i.Q.shape[-1])
def at(name, extra, outs, body, ref, ins=None, passes=None, **kw):
    case(name, HD % (extra, outs) + body + "\n}\n", ins or (lambda r: qkv(r)), ref, passes=passes, **kw)
SC = "S[p,m] = Q[p,e] * K[m,e] / sqrt(|E|)\n"
ONE = ("M", None, 1)
causal = lambda P, M: np.arange(M)[None] <= np.arange(P)[:, None] + M - P
O = lambda W, i: dict(O=W @ i.V)
at("inline_softmax", "", "O[P,F] : f32", SC + "A[p,m] = softmax(S[p,m]; m)\nO[p,f] = A[p,m] * V[m,f]", lambda i: O(sm(S_(i)), i), passes=("M",3,1))
at("inline_softmax_one_eq", "", "O[P,F] : f32", SC + "O[p,f] = sum[m] softmax(S[p,m]; m) * V[m,f]", lambda i: O(sm(S_(i)), i), passes=("M",3,1))
at("all_in_one", "", "O[P,F] : f32", "O[p,f] = sum[m] softmax((sum[e] Q[p,e] * K[m,e]) / sqrt(|E|); m) * V[m,f]", lambda i: O(sm(S_(i)), i), passes=("M",None,1))
at("own_fn", "", "O[P,F] : f32, L[P] : f32", "", None) if 0 else None
case("nested_fns", """fn expo(x, c) { return exp(x - c) }
fn weights(s; k) { top1 = max[k] s  w = expo(s, top1) return w }
fn attn(s, v; k) { w = weights(s; k)  z = sum[k] w * v  return z / sum[k] w }
cascade c(Q[P,E] : f32, K[M,E] : f32, V[M,F] : f32) -> (O[P,F] : f32) {
 S[p,m] = Q[p,e] * K[m,e] / sqrt(|E|)
 O[p,f] = attn(S[p,m], V[m,f]; m) }""", lambda r: qkv(r), lambda i: O(sm(S_(i)), i), passes=("M",None,1))
at("mul_recip", "", "O[P,F] : f32", SC+"X[p] = max[m] S[p,m]\nN[p,m] = exp(S[p,m]-X[p])\nR[p] = 1 / sum[m] N[p,m]\nA[p,m] = N[p,m] * R[p]\nO[p,f] = A[p,m]*V[m,f]", lambda i: O(sm(S_(i)), i), passes=("M",3,1))
at("exp2_form", "", "O[P,F] : f32, L[P] : f32", "S[p,m] = 1.4426950408889634 * Q[p,e]*K[m,e] / sqrt(|E|)\nX[p]=max[m] S[p,m]\nN[p,m]=exp2(S[p,m]-X[p])\nD[p]=sum[m] N[p,m]\nO[p,f] = sum[m] N[p,m]/D[p]*V[m,f]\nL[p]=X[p]+log2(D[p])", lambda i: dict(O=sm(S_(i))@i.V, L=lse(S_(i))/np.log(2)), passes=("M",3,1))
at("log_domain", "", "O[P,F] : f32, L[P] : f32", SC+"L[p] = logsumexp(S[p,m]; m)\nO[p,f] = sum[m] exp(S[p,m] - L[p]) * V[m,f]", lambda i: dict(O=sm(S_(i))@i.V, L=lse(S_(i))), passes=("M",None,1))
at("log_domain_causal", "", "O[P,F] : f32, L[P] : f32", SC[:-1]+" where causal(; p, m)\nL[p] = logsumexp(S[p,m]; m)\nA[p,m] = exp(S[p,m] - L[p])\nO[p,f] = A[p,m] * V[m,f]", lambda i: dict(O=sm(S_(i),causal(*S_(i).shape))@i.V, L=lse(S_(i),causal(*S_(i).shape))), passes=("M",None,1))
at("log_domain_empty", "", "O[P,F] : f32, L[P] : f32", SC[:-1]+" where m < p - 2\nL[p] = logsumexp(S[p,m]; m)\nA[p,m] = exp(S[p,m] - L[p])\nO[p,f] = A[p,m] * V[m,f]", lambda i: (lambda mk: dict(O=sm(S_(i),mk)@i.V, L=lse(S_(i),mk)))(np.arange(37)[None]<np.arange(7)[:,None]-2), passes=("M",None,1))
at("softmax_sinkfn", ", sink[P] : f32", "O[P,F] : f32", SC+"O[p,f] = sum[m] softmax_sink(S[p,m], sink[p]; m) * V[m,f]", lambda i: dict(O=sm(np.concatenate([S_(i), i.sink[:,None]],1))[:,:-1]@i.V), ins=lambda r: qkv(r, sink=n(r,7)), passes=("M",None,1))
at("softmax1", "", "O[P,F] : f32", SC+"X[p]=max(0, max[m] S[p,m])\nN[p,m]=exp(S[p,m]-X[p])\nD[p]=exp(-X[p]) + sum[m] N[p,m]\nO[p,f]=sum[m] N[p,m]*V[m,f]/D[p]", lambda i: dict(O=sm(np.concatenate([S_(i), np.zeros((7,1))],1))[:,:-1]@i.V), passes=("M",3,1))
at("softcap30", ", cap : f32 = 5", "O[P,F] : f32", SC+"T[p,m] = cap * tanh(S[p,m] / cap)\nA[p,m]=softmax(T[p,m]; m)\nO[p,f]=A[p,m]*V[m,f]", lambda i: O(sm(5*np.tanh(S_(i)/5)), i), passes=("M",3,1))
at("row_temp", ", tau[P] : f32", "O[P,F] : f32", SC+"Z[p,m] = S[p,m] / tau[p]\nO[p,f]=sum[m] softmax(Z[p,m]; m)*V[m,f]", lambda i: O(sm(S_(i)/i.tau[:,None]), i), ins=lambda r: qkv(r, tau=0.5+r.random(7)), passes=("M",3,1))
at("row_temp_len", "", "O[P,F] : f32", SC[:-1]+" where m <= p + |M| - |P|\nT[p,m] = S[p,m] * log(p + 2)\nO[p,f]=sum[m] softmax(T[p,m]; m)*V[m,f]", lambda i: O(sm(S_(i)*np.log(np.arange(7)+2)[:,None], causal(7,37)), i), passes=("M",3,1))
at("row_entropy_plogp", "", "O[P,F] : f32, H[P] : f32", SC+"A[p,m]=softmax(S[p,m]; m)\nO[p,f]=A[p,m]*V[m,f]\nH[p] = -sum[m] A[p,m]*log(A[p,m])", lambda i: (lambda A: dict(O=A@i.V, H=-(A*np.log(A)).sum(1)))(sm(S_(i))), passes=("M",None,1))
at("row_entropy_lse", "", "H[P] : f32", SC+"L[p]=logsumexp(S[p,m]; m)\nH[p] = L[p] - sum[m] exp(S[p,m]-L[p])*S[p,m]", lambda i: (lambda A: dict(H=-(A*np.log(A)).sum(1)))(sm(S_(i))), passes=("M",None,1))
at("row_entropy_nd", "", "H[P] : f32", SC+"X[p]=max[m] S[p,m]\nN[p,m]=exp(S[p,m]-X[p])\nD[p]=sum[m] N[p,m]\nT[p]=sum[m] N[p,m]*(S[p,m]-X[p])\nH[p]=log(D[p]) - T[p]/D[p]", lambda i: (lambda A: dict(H=-(A*np.log(A)).sum(1)))(sm(S_(i))), passes=("M",2,1))
at("row_entropy_masked", "", "H[P] : f32", SC[:-1]+" where m <= p\nA[p,m]=softmax(S[p,m]; m)\nH[p] = sum[m] -A[p,m]*log(A[p,m])", lambda i: (lambda A: dict(H=-np.where(A>0,A*np.log(np.where(A>0,A,1)),0).sum(1)))(sm(S_(i),np.arange(37)[None]<=np.arange(7)[:,None])), passes=("M",None,1))
at("renyi", "", "H[P] : f32", SC+"A[p,m]=softmax(S[p,m]; m)\nH[p] = -log(sum[m] A[p,m]^2)", lambda i: dict(H=-np.log((sm(S_(i))**2).sum(1))), passes=("M",None,1))
at("participation", "", "H[P] : f32", SC+"A[p,m]=softmax(S[p,m]; m)\nH[p] = 1 / sum[m] A[p,m]*A[p,m]", lambda i: dict(H=1/((sm(S_(i))**2).sum(1))), passes=("M",None,1))
def wmv(i):
    A=sm(S_(i)); mu=A@i.V; v=E_("pm,pmf->pf",A,(i.V[None]-mu[:,None])**2); return dict(Mu=mu, Var=v)
at("wvar_sq", "", "Mu[P,F] : f32, Var[P,F] : f32", SC+"A[p,m]=softmax(S[p,m]; m)\nMu[p,f]=A[p,m]*V[m,f]\nVar[p,f]=sum[m] A[p,m]*(V[m,f]-Mu[p,f])^2", wmv, passes=("M",4,1))
at("wvar_ex2", "", "Mu[P,F] : f32, Var[P,F] : f32", SC+"A[p,m]=softmax(S[p,m]; m)\nMu[p,f]=A[p,m]*V[m,f]\nM2[p,f]=A[p,m]*V[m,f]*V[m,f]\nVar[p,f]=M2[p,f]-Mu[p,f]^2", wmv, passes=("M",3,1), tol=1e-4)
at("wvar_fn", "", "Mu[P,F] : f32, Var[P,F] : f32", SC+"X[p]=max[m] S[p,m]\nN[p,m]=exp(S[p,m]-X[p])\nD[p]=sum[m] N[p,m]\nMu[p,f]=(sum[m] N[p,m]*V[m,f])/D[p]\nC[p,m,f]=V[m,f]-Mu[p,f]\nVar[p,f]=(sum[m] N[p,m]*C[p,m,f]*C[p,m,f])/D[p]", wmv, passes=("M",None,1))
case("wvar_own_fn", """fn avg(w, x; m) { return (sum[m] w * x) / sum[m] w }
fn vari(w, x; m) { u = avg(w, x; m) return avg(w, (x - u) * (x - u); m) }
cascade c(Q[P,E] : f32, K[M,E] : f32, V[M,F] : f32) -> (Mu[P,F] : f32, Var[P,F] : f32) {
 S[p,m] = Q[p,e] * K[m,e] / sqrt(|E|)   X[p] = max[m] S[p,m]
 Mu[p,f] = avg(exp(S[p,m] - X[p]), V[m,f]; m)
 Var[p,f] = vari(exp(S[p,m] - X[p]), V[m,f]; m) }""", lambda r: qkv(r), wmv, passes=("M",None,1))
def skew(i):
    A=sm(S_(i)); mu=A@i.V; c=i.V[None]-mu[:,None]; v=E_("pm,pmf->pf",A,c**2); return dict(Sk=E_("pm,pmf->pf",A,c**3)/v**1.5)
at("wskew", "", "Sk[P,F] : f32", SC+"A[p,m]=softmax(S[p,m]; m)\nMu[p,f]=A[p,m]*V[m,f]\nVar[p,f]=sum[m] A[p,m]*(V[m,f]-Mu[p,f])^2\nT3[p,f]=sum[m] A[p,m]*(V[m,f]-Mu[p,f])^3\nSk[p,f]=T3[p,f]/Var[p,f]^1.5", skew, passes=("M",4,1), tol=1e-4)
def parx(i):
    S=S_(i); A=sm(S); T=i.R@i.K.T; o1=A@i.V; d2=(A*T).sum(1,keepdims=True); o2=(A*T)@i.V; return dict(O=o1*(1+d2)-o2)
at("parx", ", R[P,E] : f32", "O[P,F] : f32", SC+"T[p,m]=R[p,e]*K[m,e]\nX[p]=max[m] S[p,m]\nW[p,m]=exp(S[p,m]-X[p])\nd1[p]=sum[m] W[p,m]\nd2[p]=sum[m] W[p,m]*T[p,m]\no1[p,f]=W[p,m]*V[m,f]\no2[p,f]=W[p,m]*T[p,m]*V[m,f]\nO[p,f]=o1[p,f]/d1[p]*(1+d2[p]/d1[p])-o2[p,f]/d1[p]", parx, ins=lambda r: qkv(r,R=n(r,7,16)*.2), passes=("M",2,1))
at("parx_cov", ", R[P,E] : f32", "O[P,F] : f32", SC+"T[p,m]=R[p,e]*K[m,e]\nA[p,m]=softmax(S[p,m]; m)\nMu[p,f]=A[p,m]*V[m,f]\nTm[p]=sum[m] A[p,m]*T[p,m]\nO[p,f]=Mu[p,f] - sum[m] A[p,m]*(T[p,m]-Tm[p])*(V[m,f]-Mu[p,f])", parx, ins=lambda r: qkv(r,R=n(r,7,16)*.2), passes=("M",4,1))
case("diffattn", """cascade c(Q1[P,E] : f32, Q2[P,E] : f32, K1[M,E] : f32, K2[M,E] : f32, V[M,F] : f32, lam : f32 = 0.4) -> (O[P,F] : f32) {
 S1[p,m] = Q1[p,e] * K1[m,e] / sqrt(|E|)  S2[p,m] = Q2[p,e] * K2[m,e] / sqrt(|E|)
 A[p,m] = softmax(S1[p,m]; m) - lam * softmax(S2[p,m]; m)
 O[p,f] = A[p,m] * V[m,f] }""", lambda r: dict(Q1=n(r,7,8),Q2=n(r,7,8),K1=n(r,33,8),K2=n(r,33,8),V=n(r,33,5)),
 lambda i: dict(O=(sm(i.Q1@i.K1.T/np.sqrt(8))-.4*sm(i.Q2@i.K2.T/np.sqrt(8)))@i.V), passes=("M",3,1))
case("diffattn_causal_norm", """cascade c(Q[H,P,E] : f32, K[H,M,E] : f32, V[Hv,M,F] : f32, lam[Hv] : f32) -> (O[Hv,P,F] : f32) {
 split H = (Hv, R = 2)
 S[h,r,p,m] = Q[(h,r),p,e] * K[(h,r),m,e] / sqrt(|E|) where causal(; p, m)
 A[h in Hv,r,p,m] = softmax(S[h,r,p,m]; m)
 D[h in Hv,p,f] = sum[m] (A[h,0,p,m] - lam[h] * A[h,1,p,m]) * V[h,m,f]
 O[h in Hv,p,f] = rms_norm(D[h,p,f], 0.00001; f) }""", lambda r: dict(Q=n(r,4,7,8),K=n(r,4,7,8),V=n(r,2,7,6),lam=r.random(2)),
 lambda i: (lambda A: (lambda D: dict(O=D/np.sqrt((D*D).mean(-1,keepdims=True)+1e-5)))(E_("hpm,hmf->hpf",A[0::2]-i.lam[:,None,None]*A[1::2],i.V)))(sm(E_("hpe,hme->hpm",i.Q,i.K)/np.sqrt(8),causal(7,7))), passes=("M",3,1), args=["--rank","Hv=2"])
at("sigmoid_bias", "", "O[P,F] : f32", SC+"O[p,f] = sum[m] sigmoid(S[p,m] - log(|M|)) * V[m,f]", lambda i: O(1/(1+np.exp(-(S_(i)-np.log(37)))), i), passes=("M",1,1))
at("relu_norm", "", "O[P,F] : f32", SC+"O[p,f] = sum[m] relu(S[p,m]) / |M| * V[m,f]", lambda i: O(np.maximum(S_(i),0)/37, i), passes=("M",1,1))
at("relu2_normsum", "", "O[P,F] : f32", SC+"W[p,m]=relu(S[p,m])^2\nO[p,f] = (sum[m] W[p,m]*V[m,f]) / (sum[m] W[p,m] + 0.001)", lambda i: (lambda W: dict(O=W@i.V/(W.sum(1,keepdims=True)+1e-3)))(np.maximum(S_(i),0)**2), passes=("M",None,1))
at("relu_norm_two", "", "O[P,F] : f32", SC+"W[p,m]=relu(S[p,m])\nZ[p] = sum[m] W[p,m] + 0.001\nA[p,m]=W[p,m]/Z[p]\nO[p,f] = A[p,m]*V[m,f]", lambda i: (lambda W: dict(O=W@i.V/(W.sum(1,keepdims=True)+1e-3)))(np.maximum(S_(i),0)), passes=("M",2,1)) if 0 else None
at("unstable", "", "O[P,F] : f32", SC+"N[p,m]=exp(S[p,m])\nA[p,m]=N[p,m]/(sum[k in M] exp(S[p,k]))\nO[p,f]=A[p,m]*V[m,f]", lambda i: O(sm(S_(i)), i), passes=("M",2,1))
at("other_names", "", "O[P,F] : f32", "z[p,m] = 0.25*Q[p,e]*K[m,e]\nbig[p]=max[k in M] z[p,k]\nden[p]=sum[k in M] exp(z[p,k]-big[p])\nO[p,f]=sum[m] exp(z[p,m]-big[p])*V[m,f]/den[p]", lambda i: O(sm(S_(i)), i), passes=("M",None,1))
at("extra_scale", ", g[P] : f32", "O[P,F] : f32", SC+"A[p,m]=softmax(S[p,m]; m)\nO[p,f]=sum[m] 3*A[p,m]*g[p]*V[m,f]*0.5", lambda i: dict(O=1.5*i.g[:,None]*(sm(S_(i))@i.V)), ins=lambda r: qkv(r,g=n(r,7)), passes=("M",3,1))
at("two_v", ", W[M,G] : f32", "O[P,F] : f32, Y[P,G] : f32, L[P] : f32", SC[:-1]+" where m <= p + 20\nA[p,m]=softmax(S[p,m]; m)\nO[p,f]=A[p,m]*V[m,f]\nY[p,g]=A[p,m]*W[m,g]\nL[p]=logsumexp(S[p,m]; m)", lambda i: (lambda mk:(lambda A: dict(O=A@i.V,Y=A@i.W,L=lse(S_(i),mk)))(sm(S_(i),mk)))(np.arange(37)[None]<=np.arange(7)[:,None]+20), ins=lambda r: qkv(r,W=n(r,37,4)), passes=("M",3,1))
case("joint3", """cascade c(Q[P,E] : f32, K1[A,E] : f32, K2[B,E] : f32, K3[C,E] : f32, V1[A,F] : f32, V2[B,F] : f32, V3[C,F] : f32) -> (O[P,F] : f32, L[P] : f32) {
 rank U = |A| + |B| + |C|
 S1[p,a] = Q[p,e] * K1[a,e]   S2[p,b] = Q[p,e] * K2[b,e] where b <= p   S3[p,c] = Q[p,e] * K3[c,e]
 S[p,u in U] = if u < |A| then S1[p,u] else if u < |A| + |B| then S2[p,u-|A|] else S3[p,u-|A|-|B|]
 W[u in U,f] = if u < |A| then V1[u,f] else if u < |A| + |B| then V2[u-|A|,f] else V3[u-|A|-|B|,f]
 G[p,u in U] = softmax(0.3 * S[p,u]; u)
 O[p,f] = sum[u in U] G[p,u] * W[u,f]
 L[p] = logsumexp(0.3 * S[p,u in U]; u) }""".replace("S[p,u in U]; u","S[p,u]; u").replace("L[p] = logsumexp","Z[p,u in U] = 0.3*S[p,u]\n L[p] = logsumexp").replace("0.3 * S[p,u]; u) }","Z[p,u]; u) }").replace("logsumexp(Z[p,u]; u)","max[u in U] Z[p,u] + log(sum[u in U] exp(Z[p,u] - max[k in U] Z[p,k]))"),
 lambda r: dict(Q=n(r,6,8),K1=n(r,5,8),K2=n(r,9,8),K3=n(r,3,8),V1=n(r,5,4),V2=n(r,9,4),V3=n(r,3,4)),
 lambda i: (lambda S,V: dict(O=sm(S)@V, L=lse(S)))(.3*np.concatenate([i.Q@i.K1.T,np.where(np.arange(9)[None]<=np.arange(6)[:,None],i.Q@i.K2.T,-inf),i.Q@i.K3.T],1),np.concatenate([i.V1,i.V2,i.V3])), passes=("U",None,1))
at("double_norm", "", "O[P,F] : f32", SC+"A[p,m]=softmax(S[p,m]; m)\nB[p,m]=A[p,m]/(sum[k in M] A[p,k])\nO[p,f]=B[p,m]*V[m,f]", lambda i: O(sm(S_(i)), i), passes=("M",4,1))
at("col_norm", "", "O[P,F] : f32", SC+"A[p,m]=softmax(S[p,m]; p)\nB[p,m]=A[p,m]/(0.00001 + sum[k in M] A[p,k])\nO[p,f]=B[p,m]*V[m,f]", lambda i: (lambda A: O(A/(1e-5+A.sum(1,keepdims=True)),i))(sm(S_(i),axis=0)))
# refused
at("sm_of_sm", "", "O[P,F] : f32", SC+"A[p,m]=softmax(S[p,m]; m)\nB[p,m]=softmax(A[p,m]; m)\nO[p,f]=B[p,m]*V[m,f]", lambda i: O(sm(sm(S_(i))), i), barrier="M")
at("thr_rel", "", "O[P,F] : f32", SC+"X[p]=max[m] S[p,m]\nN[p,m]=if S[p,m] > X[p] - 1.5 then exp(S[p,m]-X[p]) else 0\nO[p,f]=(sum[m] N[p,m]*V[m,f])/(sum[m] N[p,m])", lambda i: (lambda S:O((lambda N:N/N.sum(1,keepdims=True))(np.where(S>S.max(1,keepdims=True)-1.5,np.exp(S-S.max(1,keepdims=True)),0)),i))(S_(i)), barrier="M", bf=False)
at("thr_where", "", "O[P,F] : f32", SC+"X[p]=max[m] S[p,m]\nT[p,m]=S[p,m] where S[p,m] >= 0.3*X[p]\nA[p,m]=softmax(T[p,m]; m)\nO[p,f]=A[p,m]*V[m,f]", lambda i: (lambda S:O(sm(S,S>=.3*S.max(1,keepdims=True)),i))(S_(i)), barrier="M", bf=False)
at("topk5", "", "O[P,F] : f32", SC+"T[p,m]=top[m; 5] S[p,m]\nA[p,m]=softmax(S[p,m]; m) where T[p,m]\nO[p,f]=A[p,m]*V[m,f]", lambda i: (lambda S:O(sm(S)*(S>=np.sort(S,1)[:,-5:][:,:1]),i))(S_(i)), barrier="M", bf=False)
at("topk_masked", "", "O[P,F] : f32", SC+"T[p,m]=S[p,m] where (top[m; 5] S[p,m])\nA[p,m]=softmax(T[p,m]; m)\nO[p,f]=A[p,m]*V[m,f]", lambda i: (lambda S:O(sm(S,S>=np.sort(S,1)[:,-5:][:,:1]),i))(S_(i)), barrier="M", bf=False)
def sparsemax(S):
    z=-np.sort(-S,1); k=np.arange(1,S.shape[1]+1); c=z.cumsum(1); ok=1+k*z>c; kk=ok.sum(1); tau=(c[np.arange(len(S)),kk-1]-1)/kk; return np.maximum(S-tau[:,None],0)
at("sparsemax", "", "O[P,F] : f32", SC+"I[p,s in M]=argsort[m; s] S[p,m]\nZ[p,s in M]=S[p,I[p,s]]\nC[p,s in M]=cumsum[s] Z[p,s]\nk[p]=count[s in M] (1+(s+1)*Z[p,s] > C[p,s])\ntau[p]=(C[p,k[p]-1]-1)/k[p]\nA[p,m]=relu(S[p,m]-tau[p])\nO[p,f]=A[p,m]*V[m,f]".replace("k[p]=","kk[p]=").replace("C[p,k[p]-1]-1)/k[p]","C[p,kk[p]-1]-1)/kk[p]"), lambda i: O(sparsemax(S_(i)), i), barrier="M", bf=False)
at("hardmax", "", "O[P,F] : f32, I[P] : i32", SC+"I[p]=argmax[m] S[p,m]\nO[p,f]=V[I[p],f]", lambda i: (lambda I: dict(I=I,O=i.V[I]))(S_(i).argmax(1)), bf=False)
at("entmax_like", "", "O[P,F] : f32", SC+"mu[p]=mean[m] S[p,m]\nA[p,m]=relu(S[p,m]-mu[p])\nO[p,f]=A[p,m]*V[m,f]", lambda i: (lambda S:O(np.maximum(S-S.mean(1,keepdims=True),0),i))(S_(i)), barrier="M")
at("norm_scores", "", "O[P,F] : f32", SC+"mu[p]=mean[m] S[p,m]\nsd[p]=sqrt(mean[m] (S[p,m]-mu[p])^2)\nA[p,m]=softmax((S[p,m]-mu[p])/sd[p]; m)\nO[p,f]=A[p,m]*V[m,f]", lambda i: (lambda S:O(sm((S-S.mean(1,keepdims=True))/S.std(1,keepdims=True)),i))(S_(i)), barrier="M")
